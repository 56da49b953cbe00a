"""What a person, a schedule or the command line may do: one module per thing, each with its transaction and its trail."""
