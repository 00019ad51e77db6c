package gsr.peer;

import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.Options;

/**
 * What is compared, and how Streams is tuned.
 *
 * @param guarantee {@code at_least_once} or {@code exactly_once_v2}
 * @param changelogs whether stores are backed by changelog topics
 * @param repartition whether edges go through a topic, so that there is one graph, or stay in the
 *     partition of the click, as gsr does it
 */
record Settings(
    String servers,
    int partitions,
    String guarantee,
    boolean changelogs,
    boolean repartition,
    String directory) {
  private static final int MEBIBYTE = 1024 * 1024;

  /** The default of at-least-once; exactly-once holds records back until a commit. */
  private static final int COMMIT_MILLISECONDS = 30_000;

  private static final int EXACTLY_ONCE_COMMIT_MILLISECONDS = 1_000;

  /** One thread for two cores, one of which the broker needs; a second one gains nothing. */
  private static final int THREADS = 1;

  Properties properties(String name) {
    Properties all = new Properties();
    all.put(StreamsConfig.APPLICATION_ID_CONFIG, "peer-" + name + "-" + UUID.randomUUID());
    all.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, servers);
    all.put(StreamsConfig.STATE_DIR_CONFIG, directory);
    all.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, THREADS);
    all.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee);
    all.put(
        StreamsConfig.COMMIT_INTERVAL_MS_CONFIG,
        guarantee.equals(StreamsConfig.AT_LEAST_ONCE)
            ? COMMIT_MILLISECONDS
            : EXACTLY_ONCE_COMMIT_MILLISECONDS);
    all.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, LargerMemtables.class);
    consumer(all, ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    consumer(all, ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 10_000);
    consumer(all, ConsumerConfig.FETCH_MIN_BYTES_CONFIG, MEBIBYTE / 16);
    consumer(all, ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 20);
    consumer(all, ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, 4 * MEBIBYTE);
    producer(all, ProducerConfig.LINGER_MS_CONFIG, 50);
    producer(all, ProducerConfig.BATCH_SIZE_CONFIG, MEBIBYTE / 2);
    producer(all, ProducerConfig.BUFFER_MEMORY_CONFIG, 64 * MEBIBYTE);
    return all;
  }

  private static void consumer(Properties all, String name, Object value) {
    all.put(StreamsConfig.consumerPrefix(name), value);
  }

  private static void producer(Properties all, String name, Object value) {
    all.put(StreamsConfig.producerPrefix(name), value);
  }

  /** Four times the default, so that compaction has less to do. */
  public static final class LargerMemtables implements RocksDBConfigSetter {
    @Override
    public void setConfig(String store, Options options, Map<String, Object> configs) {
      options.setWriteBufferSize(64L * MEBIBYTE);
    }

    @Override
    public void close(String store, Options options) {}
  }
}
