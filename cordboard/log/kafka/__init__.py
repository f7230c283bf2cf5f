"""The log on Apache Kafka: the port over aiokafka, by the rules of ledger.py."""
