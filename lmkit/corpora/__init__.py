"""Text to train on."""
