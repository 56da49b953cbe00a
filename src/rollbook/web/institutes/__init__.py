"""One school: its register, its deliveries, its runs."""
