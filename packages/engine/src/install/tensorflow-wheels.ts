/** The TensorFlow that set-up installs, and that the engines are tested with. */
export const TENSORFLOW_VERSION = '2.21.0';
