"""Recovery of unknown dynamics: everything of this question but systems and training, which `odestudy fit` shares."""
