"""Things that the model can look at and do beside the user's variables."""
