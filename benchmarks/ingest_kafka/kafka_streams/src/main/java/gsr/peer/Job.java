package gsr.peer;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Clicks to user buffers and to the weights of edges.
 *
 * <p>Stores are not cached: with 256 MiB of cache the job took half as long again (measured), since
 * most keys come back only after they were evicted.
 */
final class Job {
  static final String BUFFERS = "buffers";
  static final String EDGES = "edges";

  private final Settings settings;
  private final Progress progress;

  Job(Settings settings, Progress progress) {
    this.settings = settings;
    this.progress = progress;
  }

  Topology topology(String clicks) {
    StreamsBuilder builder = new StreamsBuilder();
    builder.addStateStore(store(BUFFERS, Serdes.String(), PeerSerdes.userBuffer()));
    KStream<Edge, Double> updates =
        builder.stream(clicks, Consumed.with(Serdes.String(), PeerSerdes.click()))
            .process(() -> new BufferProcessor(progress), BUFFERS);
    if (settings.repartition()) {
      updates
          .repartition(
              Repartitioned.with(PeerSerdes.edge(), Serdes.Double())
                  .withName("edge-updates")
                  .withNumberOfPartitions(settings.partitions())
                  .withStreamPartitioner(new BySource()))
          .peek((edge, weight) -> progress.added.increment())
          .groupByKey()
          .reduce(Double::sum, edges());
    } else {
      builder.addStateStore(store(EDGES, PeerSerdes.edge(), Serdes.Double()));
      updates.process(() -> new EdgeProcessor(progress), EDGES);
    }
    return builder.build();
  }

  private <K, V> StoreBuilder<KeyValueStore<K, V>> store(
      String name, Serde<K> keys, Serde<V> values) {
    StoreBuilder<KeyValueStore<K, V>> store =
        Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), keys, values)
            .withCachingDisabled();
    return settings.changelogs()
        ? store.withLoggingEnabled(Map.of())
        : store.withLoggingDisabled();
  }

  private Materialized<Edge, Double, KeyValueStore<Bytes, byte[]>> edges() {
    Materialized<Edge, Double, KeyValueStore<Bytes, byte[]>> store =
        Materialized.<Edge, Double, KeyValueStore<Bytes, byte[]>>as(EDGES)
            .withKeySerde(PeerSerdes.edge())
            .withValueSerde(Serdes.Double())
            .withCachingDisabled();
    return settings.changelogs()
        ? store.withLoggingEnabled(Map.of())
        : store.withLoggingDisabled();
  }

  /** All edges of an item in one partition, so that one store holds its neighbours. */
  private static final class BySource implements StreamPartitioner<Edge, Double> {
    @Override
    public Optional<Set<Integer>> partitions(
        String topic, Edge edge, Double weight, int partitions) {
      return Optional.of(Set.of(Utils.toPositive(edge.source().hashCode()) % partitions));
    }
  }
}
