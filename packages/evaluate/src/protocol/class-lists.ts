import { readFile } from 'node:fs/promises';
import { DataError } from '@mimlab/core';

/** Classes that are written out. */
const SHOWN = 40;

const listed = (classes: readonly string[]): string =>
  `${classes.slice(0, SHOWN).join(', ')}${classes.length > SHOWN ? `, ... (${classes.length} in all)` : ''}`;

/** Both lists, and what one has and the other lacks. */
function differences(first: readonly [who: string, classes: readonly string[]], second: readonly [who: string, classes: readonly string[]]): string {
  const only = ([who, classes]: typeof first, [, others]: typeof first): string[] => {
    const missing = classes.filter((name) => !others.includes(name));
    return missing.length === 0 ? [] : [`only ${who}: ${listed(missing)}`];
  };
  const lists = [first, second].map(([who, classes]) => `${who} (${classes.length}): ${listed(classes)}`);
  return [...lists, ...only(first, second), ...only(second, first)].map((line) => `\n  ${line}`).join('');
}

/**
 * Labels are numbers of classes in their lists: two lists that differ would make every number mean something else.
 * @throws DataError that shows both lists
 */
export function checkSameClasses(train: readonly string[], test: readonly string[], place: string): void {
  if (train.length === test.length && train.every((name, index) => name === test[index])) return;
  throw new DataError(`training and test images have different classes:${differences(['the training images', train], ['the test images', test])}`, {
    place,
    remedy: 'Give both splits the same class folders, or test images of another data set with the same classes.',
  });
}

/** Stand-ins for the classes of a head that nobody named. */
const numbers = (size: number): string[] => Array.from({ length: size }, (_, index) => `#${index}`);

/**
 * The number that the head has for each class of a data set.
 * @param head classes of the head by name; undefined where nothing names them, then their number must agree
 * @param subset the data set may have some of the head's classes only
 * @throws DataError that shows both lists
 */
export function headClassOf(head: readonly string[] | undefined, headSize: number, data: readonly string[], subset: boolean, place: string): Int32Array {
  if (head === undefined && data.length === headSize) return Int32Array.from(data, (_, index) => index);
  const places = data.map((name) => head?.indexOf(name) ?? -1);
  const known = places.every((at) => at >= 0);
  if (known && (subset || data.length === headSize)) return Int32Array.from(places);
  const remedy =
    head === undefined
      ? `Nothing names the classes of the head: give them, one a line and in its order, by '--set classList=FILE'.`
      : known
        ? `The head knows all of them: ask for it with '--set subset=true'.`
        : 'Evaluate on a data set with the classes that the model was trained on, or fine-tune it on this one.';
  throw new DataError(`the classes of the data set are not those of the head:${differences(['the head', head ?? numbers(headSize)], ['the data set', data])}`, { place, remedy });
}

/**
 * Names of a head's classes: those its file gives, else those of a list that the user names.
 * @param list classes by `readClassList`
 * @throws DataError that shows both lists if the user's does not fit the head
 */
export function namedClasses(own: readonly string[] | undefined, headSize: number, list: readonly string[] | undefined, place: string): readonly string[] | undefined {
  if (list === undefined) return own;
  if (list.length === headSize && (own === undefined || own.every((name, index) => name === list[index]))) return list;
  throw new DataError(`the class list does not fit the head:${differences(['the head', own ?? numbers(headSize)], ['the class list', list])}`, {
    place,
    remedy: own === undefined ? 'Give one name a line for each class, in the order of the head; for ImageNet the 1000 folder names, sorted.' : 'The file of the model names its classes itself: leave classList out.',
  });
}

/**
 * Reads the names of classes, one a line. Empty lines at the end do not count.
 * @throws DataError naming the file if it cannot be read, is empty, or has an empty line or a name twice
 */
export async function readClassList(path: string): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new DataError(`cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { place: path, remedy: 'Name a text file with one class a line.', cause });
  }
  const names = text.trimEnd().split('\n').map((line) => line.trim());
  names.forEach((name, index) => {
    const first = names.indexOf(name);
    const problem = name === '' ? 'is empty' : first < index ? `has '${name}', as line ${first + 1} has` : undefined;
    if (problem !== undefined) throw new DataError(`line ${index + 1} ${problem}`, { place: path, remedy: 'Write every class once, one a line.' });
  });
  return names;
}
