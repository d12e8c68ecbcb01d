"""Words of the offline demo model: fixed texts and rules about code, errors and Rustbot itself. No network."""
