"""What gradients through a solver are made of: problems with known answers, arms, oracles, products, reversal."""
