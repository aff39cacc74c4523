"""What the classes of torch, Keras and JAX share: settings, files, states of metrics, files of networks."""
