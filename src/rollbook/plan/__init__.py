"""desired x actual x links -> Plan. Pure: match, diff, guards, names, sentences. Sends nothing and never sees a writer."""
