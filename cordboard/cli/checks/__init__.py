"""What `cordboard check` looks at, each kind in a module of its own; findings.py says what is found."""
