"""OData as Graph speaks it: filters, selections, pages."""
