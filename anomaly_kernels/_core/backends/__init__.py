"""One small file a library: its namespace, and in native form what the array API standard lacks."""
