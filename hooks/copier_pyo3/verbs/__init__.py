"""What the console script does: one module for each verb."""
