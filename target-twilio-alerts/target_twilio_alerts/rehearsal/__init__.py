"""Rules tried before they run: tests beside alerts.yml, decided by the same code as records."""
