"""What it takes to run Cordboard in earnest: the image, the chart, manifests rendered from it, the compose file."""
