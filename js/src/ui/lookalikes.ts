/** Characters that look like an ASCII one but are another: where a command or an address is read closely. */

/** Pairs of a look-alike letter and its ASCII twin. */
const LETTERS = twins(
  // Cyrillic
  "аa еe оo рp сc уy хx іi јj ѕs ԁd һh ԛq ԝw ӏl ѵv ԍG АA ВB ЕE КK МM НH ОO РP СC ТT УY ХX ІI ЈJ ЅS ԚQ ԜW Ӏl ѴV " +
    // Greek
    "οo νv ρp υu ιi κk ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX ϲc ϳj " +
    // Armenian, Cherokee, Latin
    "օo հh սu ցg զq ոn ՕO ՍU ᎪA ᏴB ᏟC ᎠD ᎬE ᏀG ᎻH ᎫJ ᏦK ᏞL ᎷM ᏢP ᎡR ᏚS ᎢT ᏙV ᎳW ᏃZ ɑa ɡg",
);
const SIGNS = twins("‐- ‑- −- ⁃- ˗- ⁄/ ∕/ ⧸/ ․. ∶: ꞉: ⁏; ǃ! ∣| ǀ| ‚, ʼ' ˈ' ׳'");

const WORD = /[\p{L}\p{M}\p{N}_]+/gu;
const ASCII_LETTER = /[a-z]/i;
/** Alphabets whose letters have no business in a word with Latin ones. Greek has: "Δx". */
const FOREIGN = /[\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Cherokee}]/u;
const LONE_GREEK = /^\p{Script=Greek}[\p{N}_]*$/u;

export interface Lookalike {
  index: number;
  character: string;
  /** What it is taken for; "" for a letter that does not belong to its word. */
  twin: string;
}

/** What in `text` may be taken for something else, in order. */
export function lookalikes(text: string): Lookalike[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is where nothing can hide
  if (/^[\x00-\x7f]*$/.test(text)) return [];
  const found: Lookalike[] = [];
  for (const { 0: word, index } of text.matchAll(WORD)) found.push(...inWord(word, index));
  for (const { 0: character, index } of text.matchAll(/[^\p{L}\p{M}\p{N}_\n\t -~]/gu)) {
    const twin = SIGNS.get(character) ?? compatible(character);
    if (twin) found.push({ index, character, twin });
  }
  return found.sort((a, b) => a.index - b.index);
}

/** A word of another alphabet is no disguise as long as one of its letters can only be of that alphabet. */
function inWord(word: string, start: number): Lookalike[] {
  const hasAscii = ASCII_LETTER.test(word);
  const isOwn = (character: string) => /\p{L}/u.test(character) && !twinOf(character);
  if (LONE_GREEK.test(word) || (!hasAscii && Array.from(word).some(isOwn))) return [];
  const found: Lookalike[] = [];
  let index = start;
  for (const character of word) {
    const twin = twinOf(character);
    if (twin || (hasAscii && FOREIGN.test(character))) found.push({ index, character, twin });
    index += character.length;
  }
  return found;
}

const twinOf = (character: string): string =>
  LETTERS.get(character) ?? SIGNS.get(character) ?? compatible(character);

/** Full-width, mathematical and other forms, which Unicode itself calls the same. */
function compatible(character: string): string {
  if (character <= "\x7f") return "";
  const plain = character.normalize("NFKC");
  return /^[ -~]$/.test(plain) ? plain : "";
}

function twins(pairs: string): ReadonlyMap<string, string> {
  return new Map(pairs.split(" ").map((pair) => Array.from(pair) as [string, string]));
}
