"""What the API says and takes, as records: one module a topic, named like its routes."""
