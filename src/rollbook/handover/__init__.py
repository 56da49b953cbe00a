"""HANDING OVER FIRST PASSWORDS: slips on paper, tables, claim codes and the files they are in. Knows no database and nobody's account."""
