"""Plan + Approval -> a changed tenant. Requests of changes, journal, executor, proof. The only station that holds a writer."""
