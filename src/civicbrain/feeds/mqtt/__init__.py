"""Feed: camera observations over MQTT.

Purpose: take what field cameras publish to a broker (mosquitto or any other of MQTT 3.1.1 or 5).
Reads: topic civicbrain/observations/SOURCE by default; a payload is a message of `city/intake/frames.py`
  (msgpack columns, or JSON), distances m or ft, speeds m/s, km/h or mph, times Unix seconds or RFC 3339.
Returns: through the intake it is given, else through its own: `Detections` and `LaneViews` of all cameras.
Cadence: as it comes, polled each 0.1 s. A broker that is away is tried again after 0.2, 0.4 … 10 s; `poll`
  raises ServiceError when it has been away for 5 s, and says so once in the log, as it does on recovery.
What is bad is counted by reason and source, logged once and dropped. Payloads carry their key, unless the
  broker's access list binds each client to its own topic and `vouched` says so.
Start in: feed.py. Options: host, port, topic, username, password_file, tls, ca_file, vouched (options.py);
  intake (given by the runtime).
"""

from civicbrain.feeds.mqtt.feed import MqttFeed, create
from civicbrain.feeds.mqtt.options import MqttOptions

__all__ = ["MqttFeed", "MqttOptions", "create"]
