"""Time series at irregular times: data, training, scores and what is shown of a latent space."""
