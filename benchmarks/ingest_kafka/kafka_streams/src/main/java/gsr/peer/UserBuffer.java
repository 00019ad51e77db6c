package gsr.peer;

import java.util.Map;

/** A user's newest clicks in time order, at most {@link #CAPACITY}. */
final class UserBuffer {
  static final int CAPACITY = 64;

  /** Weight of the edge from the last, the last but one, ... click to a new one. */
  private static final double[] WINDOW = {1.0, 1.0 / 2.0, 1.0 / 3.0};

  /** What an event is worth, by its code. */
  private static final double[] WORTH = {1.0, 1.0, 2.0, 3.0};

  private static final Map<String, Byte> CODES =
      Map.of("click", (byte) 0, "view", (byte) 1, "cart", (byte) 2, "purchase", (byte) 3);

  /** Receives the edges that a click adds. */
  @FunctionalInterface
  interface EdgeSink {
    void add(Edge edge, double weight);
  }

  int length;
  final double[] times = new double[CAPACITY];
  final byte[] events = new byte[CAPACITY];
  final String[] items = new String[CAPACITY];

  /** Puts a click in its place by time; one that is too old or already there changes nothing. */
  boolean add(Click click, EdgeSink edges) {
    byte event = click.event() == null ? 0 : CODES.get(click.event());
    int position = length;
    while (position > 0 && times[position - 1] > click.timestamp()) {
      position--;
    }
    if ((position == 0 && length == CAPACITY) || holds(click, event, position)) {
      return false;
    }
    double worth = WORTH[event];
    for (int distance = 0; distance < WINDOW.length && distance < position; distance++) {
      String source = items[position - 1 - distance];
      if (!source.equals(click.itemId())) {
        edges.add(new Edge(source, click.itemId()), WINDOW[distance] * worth);
      }
    }
    for (int distance = 0; distance < WINDOW.length && position + distance < length; distance++) {
      String target = items[position + distance];
      if (!target.equals(click.itemId())) {
        double weight = WINDOW[distance] * WORTH[events[position + distance]];
        edges.add(new Edge(click.itemId(), target), weight);
      }
    }
    insert(position, click, event);
    return true;
  }

  private boolean holds(Click click, byte event, int position) {
    for (int i = position - 1; i >= 0 && times[i] == click.timestamp(); i--) {
      if (events[i] == event && items[i].equals(click.itemId())) {
        return true;
      }
    }
    return false;
  }

  private void insert(int position, Click click, byte event) {
    int at = position;
    if (length == CAPACITY) {
      at--;
      move(1, 0, at);
    } else {
      move(at, at + 1, length - at);
      length++;
    }
    times[at] = click.timestamp();
    events[at] = event;
    items[at] = click.itemId();
  }

  private void move(int from, int to, int count) {
    System.arraycopy(times, from, times, to, count);
    System.arraycopy(events, from, events, to, count);
    System.arraycopy(items, from, items, to, count);
  }
}
