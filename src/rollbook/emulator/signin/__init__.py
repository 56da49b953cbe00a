"""SIGN-IN: discovery, keys and tokens as Microsoft Entra documents them (graph.md section 1)."""
