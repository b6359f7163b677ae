/** The address of a gateway started by `npm start`. */
export const defaultUrl = "http://127.0.0.1:8420";

/** The courier's key file of the demonstration network, relative to the project's folder. */
export const defaultKeyPath = ".petak/keys/courier.json";

/** The file with the demonstration's publishable key, as plain text. */
export const defaultPublishableKeyPath = ".petak/keys/publishable.txt";
