package gsr.peer;

import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Keeps the edges beside the buffers, so that each partition has a graph of its own. */
final class EdgeProcessor implements Processor<Edge, Double, Void, Void> {
  private final Progress progress;
  private KeyValueStore<Edge, Double> edges;

  EdgeProcessor(Progress progress) {
    this.progress = progress;
  }

  @Override
  public void init(ProcessorContext<Void, Void> context) {
    this.edges = context.getStateStore(Job.EDGES);
  }

  @Override
  public void process(Record<Edge, Double> update) {
    Double weight = edges.get(update.key());
    edges.put(update.key(), weight == null ? update.value() : weight + update.value());
    progress.added.increment();
  }
}
