"""A fleet that is not there: real MQTT clients, the real message types, and sick devices of every kind."""
