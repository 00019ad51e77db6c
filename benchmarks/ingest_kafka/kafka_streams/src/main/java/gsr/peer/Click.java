package gsr.peer;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;

/** A record of the topic {@code clicks}. */
@JsonIgnoreProperties(ignoreUnknown = true)
record Click(
    @JsonProperty("user_id") String userId,
    @JsonProperty("item_id") String itemId,
    @JsonProperty("timestamp") double timestamp,
    @JsonProperty("event") String event) {}
