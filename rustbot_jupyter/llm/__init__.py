"""Language models: the protocol they speak to the engine, the HTTP client, the catalogue, the offline demo."""
