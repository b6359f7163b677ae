/** Where `npm start` listens. */
export const defaultUrl = "http://127.0.0.1:8420";

/** Where the start of the demonstration network leaves its courier's key, from the project's folder. */
export const defaultKeyPath = ".petak/keys/courier.json";

/** Where it leaves a publishable key, as the key's text alone. */
export const defaultPublishableKeyPath = ".petak/keys/publishable.txt";
