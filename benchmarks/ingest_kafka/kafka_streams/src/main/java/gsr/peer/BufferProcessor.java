package gsr.peer;

import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Keeps each user's buffer and sends on the edges that a click adds. */
final class BufferProcessor implements Processor<String, Click, Edge, Double> {
  private final Progress progress;
  private ProcessorContext<Edge, Double> context;
  private KeyValueStore<String, UserBuffer> buffers;

  BufferProcessor(Progress progress) {
    this.progress = progress;
  }

  @Override
  public void init(ProcessorContext<Edge, Double> context) {
    this.context = context;
    this.buffers = context.getStateStore(Job.BUFFERS);
  }

  @Override
  public void process(Record<String, Click> record) {
    progress.begin();
    UserBuffer buffer = buffers.get(record.key());
    if (buffer == null) {
      buffer = new UserBuffer();
    }
    boolean accepted =
        buffer.add(
            record.value(),
            (edge, weight) -> {
              progress.sent.increment();
              context.forward(record.withKey(edge).withValue(weight));
            });
    if (accepted) {
      buffers.put(record.key(), buffer);
    }
    progress.clicks.increment();
  }
}
