"""THE PORTAL: pages an administrator looks at. One folder a thing; real data, server-rendered, usable without scripts."""
