"""Records as pandas frames and Plotly figures; both libraries are imported on first use."""
