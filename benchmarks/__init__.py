"""Side-by-side timings; each module is a command that writes a table into results/."""
