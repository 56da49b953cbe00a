"""Many tenants on PostgreSQL, several workers that are killed, edits that flow: everything comes to where it should, once."""
