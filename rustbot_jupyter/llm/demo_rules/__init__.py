"""What the offline demo model says: fixed texts and rules about code, errors and Rustbot itself. No network."""
