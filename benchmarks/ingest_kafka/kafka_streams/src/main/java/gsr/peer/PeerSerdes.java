package gsr.peer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** How records and state become bytes: JSON where the contract says so, else packed. */
final class PeerSerdes {
  private static final ObjectReader CLICKS = new ObjectMapper().readerFor(Click.class);

  private static final int MAX_ENTRY = Double.BYTES + 2 + 256;

  private PeerSerdes() {}

  static Serde<Click> click() {
    return Serdes.serdeFrom(
        (topic, click) -> {
          throw new UnsupportedOperationException("clicks are only read");
        },
        (topic, bytes) -> bytes == null ? null : readClick(bytes));
  }

  static Serde<Edge> edge() {
    return Serdes.serdeFrom(
        (topic, edge) -> writeEdge(edge), (topic, bytes) -> bytes == null ? null : readEdge(bytes));
  }

  static Serde<UserBuffer> userBuffer() {
    return Serdes.serdeFrom(
        (topic, buffer) -> buffer == null ? null : writeBuffer(buffer),
        (topic, bytes) -> bytes == null ? null : readBuffer(bytes));
  }

  private static Click readClick(byte[] bytes) {
    try {
      return CLICKS.readValue(bytes);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  /** The source comes first and says its length, so that a prefix scan finds its neighbours. */
  private static byte[] writeEdge(Edge edge) {
    byte[] source = edge.source().getBytes(StandardCharsets.UTF_8);
    byte[] target = edge.target().getBytes(StandardCharsets.UTF_8);
    byte[] bytes = new byte[Short.BYTES + source.length + target.length];
    ByteBuffer.wrap(bytes).putShort((short) source.length).put(source).put(target);
    return bytes;
  }

  private static Edge readEdge(byte[] bytes) {
    int split = Short.BYTES + ByteBuffer.wrap(bytes).getShort();
    return new Edge(text(bytes, Short.BYTES, split), text(bytes, split, bytes.length));
  }

  private static byte[] writeBuffer(UserBuffer buffer) {
    ByteBuffer out = ByteBuffer.allocate(1 + buffer.length * MAX_ENTRY);
    out.put((byte) buffer.length);
    for (int i = 0; i < buffer.length; i++) {
      byte[] item = buffer.items[i].getBytes(StandardCharsets.UTF_8);
      out.putDouble(buffer.times[i]).put(buffer.events[i]).put((byte) (item.length - 1)).put(item);
    }
    byte[] bytes = new byte[out.position()];
    out.flip().get(bytes);
    return bytes;
  }

  private static UserBuffer readBuffer(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    UserBuffer buffer = new UserBuffer();
    buffer.length = in.get();
    for (int i = 0; i < buffer.length; i++) {
      buffer.times[i] = in.getDouble();
      buffer.events[i] = in.get();
      int end = 1 + Byte.toUnsignedInt(in.get()) + in.position();
      buffer.items[i] = text(bytes, in.position(), end);
      in.position(end);
    }
    return buffer;
  }

  private static String text(byte[] bytes, int start, int stop) {
    return new String(bytes, start, stop - start, StandardCharsets.UTF_8);
  }
}
