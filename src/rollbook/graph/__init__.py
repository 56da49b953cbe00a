"""THE TENANT: protocol, batch, throttle, lanes and codec without I/O; one transport; reader; writer."""
