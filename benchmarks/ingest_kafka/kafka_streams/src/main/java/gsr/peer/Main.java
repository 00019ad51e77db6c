package gsr.peer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Locale;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.QueryableStoreTypes;

/**
 * Runs the job on a small topic, to warm up and to show its result, then on the measured one.
 *
 * <p>Prints one JSON object a run: {@code {"warm": ...}} and {@code {"measured": ...}}.
 */
public final class Main {
  private static final long POLL_MILLISECONDS = 5;

  private final Settings settings;

  private Main(Settings settings) {
    this.settings = settings;
  }

  /** GUARANTEE CHANGELOGS REPARTITION TASK, the task as ../task.py makes it. */
  public static void main(String[] words) throws InterruptedException, IOException {
    if (words.length != 4) {
      throw new IllegalArgumentException("expected GUARANTEE CHANGELOGS REPARTITION TASK");
    }
    JsonNode task = new ObjectMapper().readTree(words[3]);
    Settings settings =
        new Settings(
            task.get("servers").asText(),
            task.get("partitions").asInt(),
            words[0],
            Boolean.parseBoolean(words[1]),
            Boolean.parseBoolean(words[2]),
            task.get("directory").asText());
    Main main = new Main(settings);
    main.run("warm", task.get("warm_topic").asText(), task.get("warm_events").asLong(), true);
    main.run("measured", task.get("topic").asText(), task.get("events").asLong(), false);
  }

  private void run(String name, String topic, long events, boolean show)
      throws InterruptedException {
    Progress progress = new Progress();
    KafkaStreams streams =
        new KafkaStreams(new Job(settings, progress).topology(topic), settings.properties(name));
    streams.start();
    while (!progress.finished(events)) {
      if (streams.state().hasCompletedShutdown()) {
        throw new IllegalStateException("Kafka Streams stopped by itself: " + streams.state());
      }
      Thread.sleep(POLL_MILLISECONDS);
    }
    String result = show ? result(streams) : "";
    // An orderly close commits: stores flushed, changelogs acknowledged, positions saved.
    streams.close();
    System.out.printf(
        Locale.ROOT,
        "{\"%s\": {\"events\": %d, \"seconds\": %.3f, \"cpu_seconds\": %.3f%s}}%n",
        name,
        events,
        progress.seconds(),
        progress.cpuSeconds(),
        result);
  }

  /** What the job has come to, to be compared with a reference. */
  private static String result(KafkaStreams streams) {
    long users = 0;
    long clicks = 0;
    try (KeyValueIterator<String, UserBuffer> all = all(streams, Job.BUFFERS)) {
      for (; all.hasNext(); users++) {
        clicks += all.next().value.length;
      }
    }
    long edges = 0;
    double weight = 0.0;
    try (KeyValueIterator<Edge, Double> all = all(streams, Job.EDGES)) {
      for (; all.hasNext(); edges++) {
        weight += all.next().value;
      }
    }
    return String.format(
        Locale.ROOT,
        ", \"users\": %d, \"buffered\": %d, \"edges\": %d, \"weight\": %.3f",
        users,
        clicks,
        edges,
        weight);
  }

  private static <K, V> KeyValueIterator<K, V> all(KafkaStreams streams, String store) {
    return streams
        .store(
            StoreQueryParameters.fromNameAndType(store, QueryableStoreTypes.<K, V>keyValueStore()))
        .all();
  }
}
