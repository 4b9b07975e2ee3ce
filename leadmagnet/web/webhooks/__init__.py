"""What other programs tell us over HTTP, signed. Stored at once, applied by the worker."""
