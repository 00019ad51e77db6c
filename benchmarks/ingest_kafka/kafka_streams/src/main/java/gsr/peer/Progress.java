package gsr.peer;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/** How far a run is, and the clocks at its first click. */
final class Progress {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  final LongAdder clicks = new LongAdder();
  final LongAdder sent = new LongAdder();
  final LongAdder added = new LongAdder();

  private final AtomicBoolean begun = new AtomicBoolean();
  private volatile long wall;
  private volatile long cpu;

  /** Starts the clocks at the first call. */
  void begin() {
    if (!begun.get() && begun.compareAndSet(false, true)) {
      wall = System.nanoTime();
      cpu = SYSTEM.getProcessCpuTime();
    }
  }

  /** Whether every click was taken, and every edge that they sent was added. */
  boolean finished(long expected) {
    return clicks.sum() >= expected && added.sum() == sent.sum();
  }

  double seconds() {
    return (System.nanoTime() - wall) / 1e9;
  }

  /** Seconds of all threads of this process: Streams, clients, RocksDB, compiler and collector. */
  double cpuSeconds() {
    return (SYSTEM.getProcessCpuTime() - cpu) / 1e9;
  }
}
