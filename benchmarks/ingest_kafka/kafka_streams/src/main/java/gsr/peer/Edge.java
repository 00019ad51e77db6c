package gsr.peer;

/** From one item to an item that was clicked after it. */
record Edge(String source, String target) {}
