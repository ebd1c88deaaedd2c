// The page of a run's samples. Pieces of them come as scripts, for a page from a folder may not read another file; each
// calls `board.piece`. Every text is put in as a text, never as HTML.
"use strict";

(() => {
  const SHOWN = 50;
  const KEPT = 16;
  const loaded = new Map();
  const waiting = new Map();
  let data;
  let search;

  const at = (id) => document.getElementById(id);
  const say = (text, values = {}) =>
    Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), data.said[text] ?? text);
  const digits = (value) => (value === null ? "" : Math.abs(value) >= 1 ? value.toFixed(3) : value.toPrecision(4));

  function element(tag, name = "", ...children) {
    const made = document.createElement(tag);
    if (name) made.className = name;
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  board.piece = (task, piece, samples) => {
    const key = `${task}-${piece}`;
    loaded.set(key, samples);
    if (loaded.size > KEPT) loaded.delete(loaded.keys().next().value);
    waiting.get(key)?.found(samples);
    waiting.delete(key);
  };

  function piece(task, number) {
    const key = `${task}-${number}`;
    if (loaded.has(key)) return Promise.resolve(loaded.get(key));
    if (waiting.has(key)) return waiting.get(key).promise;
    const one = {};
    one.promise = new Promise((found, lost) => Object.assign(one, { found, lost }));
    waiting.set(key, one);
    const script = document.createElement("script");
    script.src = `${data.place}${key}.js`;
    script.onload = () => script.remove();
    script.onerror = () => {
      waiting.delete(key);
      one.lost(new Error(script.src));
    };
    document.head.append(script);
    return one.promise;
  }

  const texts = (sample) =>
    [
      sample.id,
      ...sample.asked.flatMap((one) => [
        one.prompt,
        ...one.choices.map((choice) => choice.text),
        ...one.answers.flatMap((answer) => [answer.text, answer.raw]),
      ]),
      ...sample.scores.flatMap((score) => [score.gold, score.predicted]),
    ]
      .join("\n")
      .toLowerCase();

  const passes = (sample, wanted) =>
    (!wanted.outcome || sample.outcome.includes(wanted.outcome)) && (!wanted.text || texts(sample).includes(wanted.text));

  // Looks through one piece after another until a page is full, and goes on from there when asked for more.
  async function look(asked) {
    const goal = asked.shown + SHOWN;
    at("more").hidden = true;
    while (asked.queue.length && asked.shown < goal) {
      const [task, number] = asked.queue[0];
      let samples;
      try {
        samples = await piece(task, number);
      } catch {
        if (asked === search) at("told").textContent = say("A piece of the samples is missing: was the whole folder copied?");
        return;
      }
      if (asked !== search) return;
      while (asked.within < samples.length && asked.shown < goal) {
        const sample = samples[asked.within++];
        asked.seen++;
        if (!passes(sample, asked)) continue;
        asked.shown++;
        at("found").append(summary(task, number, sample));
      }
      if (asked.within >= samples.length) {
        asked.queue.shift();
        asked.within = 0;
      }
      told(asked);
    }
    told(asked);
    at("more").hidden = !asked.queue.length;
  }

  function told(asked) {
    const [shown, seen, all] = [asked.shown, asked.seen, asked.all].map((one) => one.toLocaleString("en"));
    at("told").textContent = say("{shown} shown; looked through {seen} of {all} samples.", { shown, seen, all });
  }

  function begin() {
    const chosen = at("task").value;
    const places = chosen === "" ? data.tasks.map((_, place) => place) : [Number(chosen)];
    search = {
      outcome: at("outcome").value,
      text: at("search").value.trim().toLowerCase(),
      queue: places.flatMap((task) => data.tasks[task].pieces.map((_, number) => [task, number])),
      all: places.reduce((sum, task) => sum + data.tasks[task].pieces.reduce((one, other) => one + other, 0), 0),
      within: 0,
      shown: 0,
      seen: 0,
    };
    at("found").replaceChildren();
    look(search);
  }

  const MARKS = { right: "✓", wrong: "✗", partly: "◐", invalid: "!", tie: "=" };

  function summary(task, number, sample) {
    const outcome = sample.outcome[0] ?? "";
    const made = element(
      "details",
      "sample",
      element(
        "summary",
        "",
        outcome && element("span", `mark ${outcome}`, `${MARKS[outcome]} ${say(outcome)}`),
        element("code", "", sample.id),
        at("task").value === "" ? element("small", "", ` ${data.tasks[task].title}: ${data.tasks[task].called}`) : null,
        element("span", "prompt", ` ${end(sample)}`),
      ),
    );
    made.addEventListener("toggle", () => {
      if (made.open && made.children.length === 1) made.append(whole(task, sample));
      if (made.open) address(task, number, sample.id);
    });
    return made;
  }

  function end(sample) {
    const first = sample.asked[0];
    const text = (first.prompt || first.choices[0]?.text || "").trim().replace(/\s+/g, " ");
    return text.length > 160 ? `… ${text.slice(-160)}` : text;
  }

  function whole(task, sample) {
    const made = element("div");
    const several = sample.asked.length > 1;
    sample.asked.forEach((one, turn) => {
      if (several) made.append(element("h3", "variant", `${turn + 1}/${sample.asked.length} ${one.variant}`));
      made.append(...situation(task, one));
    });
    if (sample.explained) made.append(...sample.explained.flatMap(heat));
    if (sample.scores.length) made.append(element("h3", "", say("Scores")), scores(task, sample.scores));
    return made;
  }

  function situation(task, one) {
    const parts = one.media.map((name) => medium(data.tasks[task].media[name]));
    if (one.prompt) parts.push(element("h3", "", say("Prompt")), element("pre", "", one.prompt.replaceAll("▣", `[${say("picture or sound")}]`)));
    if (one.choices.length) parts.push(element("h3", "", say("Choices")), ...choices(one.choices));
    for (const answer of one.answers) parts.push(...written(answer));
    if (one.gold) parts.push(element("h3", "", say("reference answer")), element("pre", "", one.gold));
    if (one.predicted) parts.push(element("h3", "", say("model's answer")), element("pre", "", one.predicted));
    return parts;
  }

  function choices(listed) {
    return listed.map((one) => {
      const mark = one.gold && one.taken ? "answered, right" : one.gold ? "right answer" : one.taken ? "answered" : "";
      const bar = element("span", "bar");
      if (one.share !== null) bar.style.width = `${(100 * one.share).toFixed(1)}%`;
      const made = element(
        "div",
        `choice${one.gold ? " gold" : ""}${one.taken ? " taken" : ""}`,
        element("span", "", one.taken ? (one.gold ? "✓" : "✗") : one.gold ? "○" : ""),
        element("span", "", element("span", "text", one.text), mark ? element("small", "", ` ${say(mark)}`) : null, one.share === null ? null : bar),
        element("small", "", one.share === null ? "" : `${(100 * one.share).toFixed(1)} % · `, digits(one.nats)),
      );
      made.title = `${say("log-likelihood (nats)")} ${digits(one.nats)}, ${one.tokens} ${say("tokens")}`;
      return made;
    });
  }

  const STOPS = {
    end: "Ended by itself after {tokens} tokens",
    "stop string": "Ended by a stop string after {tokens} tokens",
    length: "Cut after {tokens} tokens",
  };

  function written(answer) {
    const parts = [];
    if (answer.raw) parts.push(element("h3", "", say("All that was written, thoughts among it")), element("pre", "", answer.raw));
    if (answer.text) parts.push(element("h3", "", say("Answer")), element("pre", "", answer.text));
    if (answer.stop) parts.push(element("small", "", say(STOPS[answer.stop] ?? answer.stop, { tokens: answer.tokens })));
    if (answer.invalid.length) parts.push(element("p", "notice", answer.invalid[data.language]));
    return parts;
  }

  function medium(file) {
    if (!file) return element("p", "notice", say("The run doesn't keep this picture or sound, or it was changed."));
    const made = element(file.endsWith(".flac") ? "audio" : "img");
    if (file.endsWith(".flac")) made.controls = true;
    else made.alt = say("picture or sound");
    made.src = `${data.root}${file}`;
    return made;
  }

  function heat(one) {
    const most = Math.max(...one.values.map((value) => Math.abs(value ?? 0)), 1e-12);
    const spans = one.tokens.map((token, place) => {
      const value = one.values[place] ?? 0;
      const made = element("span", "", token);
      const ink = value >= 0 ? "86, 180, 233" : "230, 159, 0";
      made.style.background = `rgba(${ink}, ${((0.7 * Math.abs(value)) / most).toFixed(3)})`;
      made.title = digits(value);
      return made;
    });
    return [element("h3", "", `${say("Attribution")}: ${one.method} → ${one.target}`), element("p", "heat", ...spans)];
  }

  const HEADS = { value: "score", gold: "reference answer", predicted: "model's answer" };

  function scores(task, rows) {
    const columns = ["metric", "variant", "value", "gold", "predicted", "remark", "groups", "invalid"];
    const told = (row, name) =>
      name === "value" ? digits(row.value) : name === "invalid" ? (row.invalid[data.language] ?? "") : (called(row, name) ?? row[name]);
    const called = (row, name) => (name === "metric" ? data.tasks[task].metrics[row.metric] : undefined);
    const used = columns.filter((name) => rows.some((row) => told(row, name) !== ""));
    const table = element("table");
    table.append(element("thead", "", element("tr", "", ...used.map((name) => element("th", "", say(HEADS[name] ?? name))))));
    table.append(element("tbody", "", ...rows.map((row) => element("tr", "", ...used.map((name) => element("td", "", told(row, name)))))));
    return element("div", "wide", table);
  }

  function address(task, number, id) {
    const asked = new URLSearchParams({ task, piece: number, sample: id });
    history.replaceState(null, "", `#${asked}`);
  }

  // A link names a sample and the piece in which it is, so that no other has to be loaded.
  async function follow() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const [task, number, id] = [Number(asked.get("task")), Number(asked.get("piece")), asked.get("sample")];
    if (!data.tasks[task]) return begin();
    at("task").value = asked.has("task") ? String(task) : at("task").value;
    begin();
    if (id === null || !(number < data.tasks[task].pieces.length)) return;
    const samples = await piece(task, number).catch(() => []);
    const found = samples.find((one) => one.id === id);
    if (!found) return;
    const made = summary(task, number, found);
    at("found").prepend(made);
    made.open = true;
    made.scrollIntoView();
  }

  function options(select, listed) {
    select.replaceChildren(
      ...listed.map(([value, text]) => {
        const made = element("option", "", text);
        made.value = value;
        return made;
      }),
    );
  }

  board.open = (place, root, language, tasks, said) => {
    data = { place, root, language, tasks, said };
    const counted = (one) => one.pieces.reduce((sum, count) => sum + count, 0).toLocaleString("en");
    options(at("task"), [
      ...tasks.map((one, number) => [String(number), `${one.title}: ${one.called} (${counted(one)})`]),
      ["", say("all tasks")],
    ]);
    options(at("outcome"), [["", say("any")], ...Object.keys(MARKS).map((name) => [name, say(name)])]);
    let typed;
    at("search").addEventListener("input", () => {
      clearTimeout(typed);
      typed = setTimeout(begin, 250);
    });
    at("task").addEventListener("change", begin);
    at("outcome").addEventListener("change", begin);
    at("more").addEventListener("click", () => look(search));
    window.addEventListener("hashchange", follow);
    follow();
  };
})();
