"""What of the chart is made from the code: its values' schema, its topics, and the manifests that it renders to."""
