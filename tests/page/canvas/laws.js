// Laws of the parts of the canvases that need no picture. Each function is one; it throws where it does not hold.
const at = (path) => import(`${globalThis.ASSETS}/js/${path}`);

const assert = (holds, says) => {
  if (!holds) throw new Error(says);
};
const same = (one, other, says) => {
  const [a, b] = [JSON.stringify(one), JSON.stringify(other)];
  assert(a === b, `${says}: ${a.slice(0, 300)} and ${b.slice(0, 300)}`);
};

/** Numbers that are the same in every run. */
function dice(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A graph without cycles. */
function graphOf(n, edges, seed = 1) {
  const roll = dice(seed);
  const src = [];
  const dst = [];
  for (let e = 0; e < edges && n > 1; e++) {
    const b = 1 + roll(n - 1);
    src.push(roll(b));
    dst.push(b);
  }
  return { n, src: Uint32Array.from(src), dst: Uint32Array.from(dst) };
}
const chain = (n) => ({
  n, src: Uint32Array.from({ length: n - 1 }, (_, i) => i), dst: Uint32Array.from({ length: n - 1 }, (_, i) => i + 1),
});
const SHAPES = [
  graphOf(0, 0), graphOf(1, 0), graphOf(300, 0), graphOf(40, 60, 2), graphOf(900, 1500, 3), graphOf(3000, 9000, 4),
  chain(30), chain(900),
];

async function compact(graph, roll) {
  const letters = "2345678";
  return {
    run: "r", name: null, seq: 10, base_ms: 1000, names: Array.from({ length: graph.n }, (_, i) => `task ${i}`),
    queues: ["q"], queue: new Array(graph.n).fill(0),
    status: Array.from({ length: graph.n }, () => letters[roll(letters.length)]).join(""),
    codes: { pending: 2, ready: 3, running: 4, completed: 5, failed: 6, cancelled: 7, paused: 8, retrying: 9, step: 10 },
    src: [...graph.src], dst: [...graph.dst],
    ready: new Array(graph.n).fill(-1), start: new Array(graph.n).fill(-1), end: new Array(graph.n).fill(-1),
  };
}

export async function equalGraphsGetEqualPlaces() {
  const { arrange } = await at("layout.js");
  for (const { n, src, dst } of SHAPES) {
    const [one, other] = [arrange(n, src, dst), arrange(n, src, dst)];
    same([...one.x, ...one.y], [...other.x, ...other.y], `${n} nodes`);
  }
}

export async function noTwoNodesOverlapAndAllAreInThePicture() {
  const { arrange, NODE } = await at("layout.js");
  const { columnsOf } = await at("canvas/scene.js");
  for (const { n, src, dst } of SHAPES) {
    const { x, y, width, height } = arrange(n, src, dst);
    for (let i = 0; i < n; i++) {
      assert(x[i] >= NODE.width / 2 - 1 && x[i] <= width - NODE.width / 2 + 1, `x of ${i} of ${n}: ${x[i]} in ${width}`);
      assert(y[i] >= NODE.height / 2 - 1 && y[i] <= height - NODE.height / 2 + 1, `y of ${i} of ${n}: ${y[i]} in ${height}`);
    }
    const columns = columnsOf({ x, y });
    for (let c = 0; c < columns.x.length; c++) {
      assert(!c || columns.x[c] - columns.x[c - 1] > NODE.width, `columns ${columns.x[c - 1]} and ${columns.x[c]} overlap`);
      for (let k = columns.from[c] + 1; k < columns.from[c + 1]; k++) {
        const apart = y[columns.order[k]] - y[columns.order[k - 1]];
        assert(apart >= NODE.height, `${columns.order[k - 1]} and ${columns.order[k]} are ${apart} apart`);
      }
    }
  }
}

export async function everyDependencyStandsInAnEarlierLayerAndFarthestLeft() {
  const { arrange } = await at("layout.js");
  const { n, src, dst } = SHAPES[4];
  const { layer, x } = arrange(n, src, dst);
  const deepest = new Map();
  src.forEach((a, e) => {
    assert(layer[a] < layer[dst[e]], `${a} before ${dst[e]}`);
    assert(x[a] < x[dst[e]], `${a} left of ${dst[e]}`);
    deepest.set(dst[e], Math.max(deepest.get(dst[e]) ?? 0, layer[a] + 1));
  });
  for (let i = 0; i < n; i++) assert(layer[i] === (deepest.get(i) ?? 0), `layer of ${i}`);
}

export async function aLongChainIsBrokenIntoLinesAndAWideLayerIntoColumns() {
  const { arrange } = await at("layout.js");
  for (const { n, src, dst } of [chain(900), chain(5000), graphOf(3000, 0), graphOf(20000, 0)]) {
    const { width, height } = arrange(n, src, dst);
    assert(width / height > 0.8 && width / height < 4, `${n} nodes with ${src.length} edges: ${width} × ${height}`);
  }
}

export async function whatCannotBeAGraphIsPlacedAllTheSame() {
  const { arrange } = await at("layout.js");
  const { x } = arrange(3, Uint32Array.of(0, 1, 2), Uint32Array.of(1, 2, 0));
  assert(x.length === 3 && [...x].every(Number.isFinite), "a cycle has places");
}

export async function framesInAnyPiecesComeToTheSameBoard() {
  const { Board } = await at("board.js");
  const graph = graphOf(200, 300, 5);
  const start = await compact(graph, dice(6));
  const roll = dice(7);
  const changes = Array.from({ length: 2000 }, (_, k) => ({ i: roll(200), s: "23456789"[roll(8)], t: [k, k + 1, k + 2] }));
  const play = (size) => {
    const board = new Board(structuredClone(start));
    for (let k = 0; k < changes.length; k += size) {
      const part = new Map(changes.slice(k, k + size).map((each) => [each.i, each]));
      const each = [...part.values()];
      board.apply({ q: 10 + k + size, i: each.map(({ i }) => i), s: each.map(({ s }) => s).join(""), t: each.map(({ t }) => t) });
    }
    return [[...board.status], [...board.counts], [...board.start], [...board.end]];
  };
  const whole = play(2000);
  for (const size of [1, 7, 100, 1999]) same(play(size), whole, `pieces of ${size}`);
}

export async function countsAreThoseOfTheStatuses() {
  const { Board } = await at("board.js");
  const board = new Board(await compact(graphOf(500, 0), dice(8)));
  board.apply({ q: 11, i: [1, 2, 3, 3], s: "5566", t: [], new: [{ i: 500, name: "new", queue: "other", deps: [3] }] });
  const counted = new Array(board.counts.length).fill(0);
  for (const status of board.status) counted[status]++;
  same([...board.counts], counted, "counts");
}

export async function aFrameThatIsKnownAlreadyChangesNothing() {
  const { Board } = await at("board.js");
  const board = new Board(await compact(graphOf(3, 0), dice(9)));
  const before = [...board.status];
  same(board.apply({ q: 10, i: [0, 1, 2], s: "555", t: [] }), { changed: [], grown: false }, "answer");
  same([...board.status], before, "statuses");
}

export async function aNewTaskStandsBehindWhatItDependsOn() {
  const { Board, STATUS } = await at("board.js");
  const board = new Board(await compact(graphOf(4, 3), dice(10)));
  board.around;
  const change = board.apply({ q: 12, i: [5], s: "3", t: [[7, -1, -1]], new: [
    { i: 5, name: "second", queue: "late", deps: [4, 0] }, { i: 4, name: "first", queue: "q", deps: [] },
  ] });
  assert(change.grown && board.size === 6, "it has grown");
  same([board.names[4], board.names[5], board.queues[board.queue[5]]], ["first", "second", "late"], "names and queue");
  same([board.status[4], board.status[5], board.ready[5], board.start[5]], [STATUS.pending, STATUS.ready, 7, -1], "state");
  const { from, at: parents } = board.around.up;
  same([...parents.slice(from[5], from[6])].sort(), [0, 4], "dependencies");
}

export async function aKindIsAQueueAndANameButForDigits() {
  const { Board } = await at("board.js");
  const graph = await compact(graphOf(4, 0), dice(11));
  graph.names = ["render 1 of 20", "render 2 of 20", "render x", "render 3 of 20"];
  graph.queues = ["a", "b"];
  graph.queue = [0, 0, 0, 1];
  const { of } = new Board(graph).kinds;
  assert(of[0] === of[1] && of[0] !== of[2] && of[0] !== of[3], [...of].join());
}

export async function eachTaskIsInOneItemAndFailedOnesAreAlone() {
  const [{ Board, STATUS }, { folded }, { layersOf, arrange }] = await Promise.all([at("board.js"), at("fold.js"), at("layout.js")]);
  assert(layersOf, "layers are there");
  const graph = graphOf(800, 1200, 12);
  const board = new Board(await compact(graph, dice(13)));
  const items = folded(board, arrange(graph.n, graph.src, graph.dst).layer);
  assert(items.n < 500, `${items.n} items of 800 tasks`);
  const seen = new Uint8Array(800);
  for (let item = 0; item < items.n; item++) {
    const tasks = items.members.at.slice(items.members.from[item], items.members.from[item + 1]);
    for (const task of tasks) {
      seen[task]++;
      assert(items.itemOf[task] === item, `item of ${task}`);
      assert(tasks.length === 1 || board.status[task] !== STATUS.failed, `${task} failed and is in a stack`);
    }
  }
  assert(seen.every((times) => times === 1), "each once");
  const { layer } = arrange(items.n, items.src, items.dst);
  items.src.forEach((a, e) => assert(layer[a] < layer[items.dst[e]], "stacks make no cycle"));
}

export async function barsOfALaneNeverOverlapAndThereAreNoMoreLanesThanRanAtOnce() {
  const { packed } = await at("lanes.js");
  const roll = dice(14);
  const start = Float64Array.from({ length: 3000 }, () => (roll(20) ? roll(10000) : -1));
  const end = start.map((ms) => (ms < 0 || !roll(50) ? -1 : ms + roll(80)));
  const now = 10100;
  const { lane, lanes, order } = packed(start, end, now);
  const over = (i) => (end[i] < 0 ? now : end[i]);
  const last = new Array(lanes).fill(-1);
  for (const i of order) {
    if (last[lane[i]] >= 0) assert(over(last[lane[i]]) <= start[i], `${last[lane[i]]} and ${i} in lane ${lane[i]}`);
    last[lane[i]] = i;
  }
  const steps = [...order].flatMap((i) => [[start[i], 1], [over(i), -1]]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let most = 0;
  let now_ = 0;
  for (const [, step] of steps) most = Math.max(most, (now_ += step));
  // A task without length runs with nobody, and still wants a lane of those that are busy at its moment.
  assert(lanes <= most + 1, `${lanes} lanes, ${most} at once`);
  start.forEach((ms, i) => assert((ms < 0) === (lane[i] < 0), `lane of ${i}`));
}

export async function theCriticalPathGoesFromDependencyToDependentAndEndsLast() {
  const { criticalPath } = await at("lanes.js");
  const { Board } = await at("board.js");
  const board = new Board(await compact(graphOf(300, 700, 15), dice(16)));
  const roll = dice(17);
  same(criticalPath(board), [], "nothing has ended");
  for (let i = 0; i < 300; i++) {
    const { from, at: parents } = board.around.up;
    const begin = Math.max(0, ...[...parents.slice(from[i], from[i + 1])].map((parent) => board.end[parent]));
    board.start[i] = begin + roll(5);
    board.end[i] = board.start[i] + roll(50);
  }
  const path = criticalPath(board);
  const { from, at: parents } = board.around.up;
  assert(path.length > 1 && board.end[path[path.length - 1]] === Math.max(...board.end), "it ends last");
  for (let k = 1; k < path.length; k++) {
    const before = [...parents.slice(from[path[k]], from[path[k] + 1])];
    assert(before.includes(path[k - 1]), "each depends on the one before");
    assert(before.every((parent) => board.end[parent] <= board.end[path[k - 1]]), "and waited for it");
  }
  same([...parents.slice(from[path[0]], from[path[0] + 1])], [], "it begins where nothing is before");
}

export async function whatIsFoundAtAPointAndInAViewIsWhatLiesThere() {
  const [{ arrange, NODE }, { columnsOf, Scene }] = await Promise.all([at("layout.js"), at("canvas/scene.js")]);
  const { n, src, dst } = SHAPES[4];
  const places = arrange(n, src, dst);
  const scene = new Scene(places, columnsOf(places), { n });
  for (let i = 0; i < n; i++) {
    assert(scene.at(places.x[i] + 70, places.y[i] - 19) === i, `${i} is where it is`);
  }
  assert(scene.at(-500, -500) === -1, "nothing is outside");
  const roll = dice(18);
  for (let k = 0; k < 50; k++) {
    const view = { x: roll(places.width), y: roll(places.height), scale: 0.5, width: 100 + roll(900), height: 100 + roll(500) };
    const found = new Set(scene.inView(view).flatMap(([from, end]) => [...scene.columns.order.slice(from, end)]));
    for (let i = 0; i < n; i++) {
      const inside = places.x[i] >= view.x - NODE.width / 2 && places.x[i] <= view.x + view.width / 0.5 + NODE.width / 2
        && places.y[i] >= view.y - NODE.height / 2 && places.y[i] <= view.y + view.height / 0.5 + NODE.height / 2;
      assert(found.has(i) === inside, `${i} in view ${JSON.stringify(view)}`);
    }
  }
}

export async function theNextOneBesideIsInTheSameColumn() {
  const [{ arrange }, { columnsOf, Scene }] = await Promise.all([at("layout.js"), at("canvas/scene.js")]);
  const { n, src, dst } = SHAPES[3];
  const places = arrange(n, src, dst);
  const scene = new Scene(places, columnsOf(places), { n });
  for (let i = 0; i < n; i++) {
    const below = scene.beside(i, 1);
    assert(places.x[below] === places.x[i] && places.y[below] >= places.y[i], `below ${i}`);
    if (below !== i) assert(scene.beside(below, -1) === i, `and back from ${below}`);
  }
}

export async function zoomKeepsThePointUnderThePointer() {
  const { Camera } = await at("canvas/camera.js");
  const camera = new Camera();
  Object.assign(camera, { width: 1000, height: 600, picture: { width: 20000, height: 11000 } });
  camera.fit();
  const corner = camera.pixels(20000, 11000);
  assert(corner.x <= 1000 && corner.y <= 600 && camera.pixels(0, 0).x >= 0, "all is in view");
  for (const factor of [1.5, 3, 0.7, 2]) {
    const before = camera.units(400, 300);
    camera.zoom(factor, 400, 300);
    const after = camera.units(400, 300);
    assert(Math.abs(before.x - after.x) < 1 && Math.abs(before.y - after.y) < 1, `zoom by ${factor}`);
  }
  for (let k = 0; k < 100; k++) camera.pan(500, 500);
  const middle = camera.units(500, 300);
  assert(middle.x >= 0 && middle.y >= 0, "one cannot lose the picture");
}

export async function momentsAreNamedInStepsThatPeopleCountIn() {
  const { ticks, since } = await at("canvas/axis.js");
  for (const span of [5, 40, 900, 12_000, 75_000, 3_000_000, 90_000_000, 9_000_000_000]) {
    const { at: moments, step } = ticks(0, span, 10);
    assert(moments.length >= 2 && moments.length <= 11, `${moments.length} moments of ${span} ms`);
    assert(new Set(moments.map((ms) => since(ms, step))).size === moments.length, `different words for ${span} ms`);
  }
}

/** Waits for a fact. */
async function until(holds, says) {
  for (const end = performance.now() + 30_000; !holds(); await new Promise((next) => setTimeout(next, 20))) {
    assert(performance.now() < end, says());
  }
}

export async function edgesOfWhichSomeAreLeftOutAreSaidToBeASample() {
  const [{ SAMPLED_ABOVE }, { mount }] = [await at("canvas/edges.js"), await at("pages/run/graph.js")];
  const half = Math.ceil(Math.sqrt(SAMPLED_ABOVE * 1.2));
  const edges = Array.from({ length: half * half }, (_, e) => e);
  const dense = { n: 2 * half, src: edges.map((e) => Math.floor(e / half)), dst: edges.map((e) => half + (e % half)) };
  const answers = { dense: await compact(dense, dice(1)), thin: await compact(chain(50), dice(1)) };
  const { fetch, EventSource } = globalThis;
  globalThis.fetch = async (address) => new Response(JSON.stringify(answers[address.includes("dense") ? "dense" : "thin"]));
  globalThis.EventSource = class extends EventTarget {
    close() {}
  };
  const root = document.body.appendChild(document.createElement("div"));
  const shown = (run) => {
    const close = mount(root, run);
    Object.assign(root.querySelector(".canvas-stage").style, { position: "relative", width: "800px", height: "400px" });
    return close;
  };
  const legend = () => root.querySelector(".canvas-legend").textContent;
  try {
    let close = shown("dense");
    await until(() => legend().includes("1 of 4 edges drawn"), () => `it says ${legend()}`);
    const { width } = root.querySelector("canvas");
    assert(width > 0, "there is a picture");
    close();
    close = shown("thin");
    await until(() => legend() && root.querySelector(".canvas-cover").hidden, () => "no picture of a few edges");
    await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
    assert(!legend().includes("edges drawn"), `all edges are drawn, and it says ${legend()}`);
    close();
  } finally {
    Object.assign(globalThis, { fetch, EventSource });
    root.remove();
  }
}

export async function aPlaceIsTheDarkerTheMoreLinesCrossItAndNoLineLeavesThePicture() {
  const { hairLines } = await at("canvas/edges.js");
  const view = { x: 0, y: 0, scale: 1, width: 200, height: 100 };
  const context = new OffscreenCanvas(view.width, view.height).getContext("2d");
  // Level, steep, downwards and twice; one that only crosses the picture, one that is outside.
  const [x, y] = [[-80, 380, 20, 180, -500, 700, 0, 300], [50, 50, -40, 160, -300, 400, 900, 900]];
  const points = { x: Float32Array.from(x), y: Float32Array.from(y) };
  const src = Uint32Array.from([0, 0, 2, 4, 6]);
  const dst = Uint32Array.from([1, 1, 3, 5, 7]);
  const oneIn = hairLines(context, points, src, dst, view, "rgb(10, 20, 30)");
  assert(oneIn === 1, "all are drawn");
  const { data } = context.getImageData(0, 0, view.width, view.height);
  const alpha = (px, py) => data[(py * view.width + px) * 4 + 3];
  const once = hairLines(context, points, src.slice(0, 1), dst.slice(0, 1), view, "rgb(10, 20, 30)") && context.getImageData(30, 50, 1, 1).data;
  assert(once[3] > 0 && alpha(30, 50) > once[3], "two lines are darker than one");
  assert(Math.abs(once[0] - 10) < 6 && Math.abs(once[2] - 30) < 6, "it has its colour");
  assert(alpha(30, 20) === 0 && alpha(180, 97) === 0, "nothing is where no line is");
  const edge = Array.from({ length: view.width }, (_, px) => alpha(px, 0) + alpha(px, 99)).filter(Boolean).length;
  assert(edge > 0 && edge < 10, "a line ends at the edge of the picture and goes on nowhere else");
}

/** A context that keeps the points of a path, in small steps. */
function pen() {
  const points = [];
  const from = () => points[points.length - 1];
  return {
    points,
    moveTo: (x, y) => points.push([x, y]),
    lineTo(x, y) {
      const [x0, y0] = from();
      for (let k = 1; k <= 40; k++) points.push([x0 + ((x - x0) * k) / 40, y0 + ((y - y0) * k) / 40]);
    },
    bezierCurveTo(x1, y1, x2, y2, x3, y3) {
      const [x0, y0] = from();
      for (let k = 1; k <= 200; k++) {
        const [t, u] = [k / 200, 1 - k / 200];
        const weights = [u ** 3, 3 * u * u * t, 3 * u * t * t, t ** 3];
        points.push([[x0, x1, x2, x3], [y0, y1, y2, y3]].map((each) => each.reduce((sum, at, i) => sum + at * weights[i], 0)));
      }
    },
  };
}

/** A run as wide as high: two layers of blocks, one task that all of the first wait for, and edges across it. */
function blocks() {
  const [src, dst] = [[], []];
  const edge = (a, b) => (src.push(a), dst.push(b));
  for (let i = 0; i < 300; i++) {
    edge(i, 300 + (i % 7));
    edge(300 + (i % 7), 307);
    edge(307, 308 + i);
    edge(i, 308 + ((i * 5) % 300));
    edge(i, 608);
  }
  return { n: 609, src: Uint32Array.from(src), dst: Uint32Array.from(dst) };
}

export async function noEdgePassesBehindABoxThatItDoesNotEndAt() {
  const [{ arrange, NODE }, { columnsOf, Scene }, { begin, way }] = await Promise.all(["layout.js", "canvas/scene.js", "canvas/routes.js"].map(at));
  for (const { n, src, dst } of [graphOf(12, 24, 3), graphOf(40, 60, 2), graphOf(300, 700, 5), graphOf(3000, 6000, 4), chain(900), blocks()]) {
    const places = arrange(n, src, dst);
    const scene = new Scene(places, columnsOf(places), { n });
    begin(Infinity);
    let crossed = 0;
    for (let e = 0; e < Math.min(src.length, 1500); e++) {
      const ctx = pen();
      way(ctx, scene, src[e], dst[e], { x: 0, y: 0, scale: 1, width: 1, height: 1 });
      const ends = ctx.points[ctx.points.length - 1];
      assert(ends[0] === places.x[dst[e]] - NODE.width / 2 && ends[1] === places.y[dst[e]], `edge ${e} ends at ${ends}`);
      if (ctx.points.some(([x, y]) => ![-1, src[e], dst[e]].includes(scene.at(x, y, -1)))) crossed++;
    }
    assert(crossed === 0, `${n} tasks: ${crossed} of ${src.length} edges pass behind a box`);
  }
}

export async function aFrameFindsOnlySoManyWaysAndSaysThatMoreAreToCome() {
  const [{ arrange }, { columnsOf, Scene }, routes] = await Promise.all(["layout.js", "canvas/scene.js", "canvas/routes.js"].map(at));
  const { n, src, dst } = blocks();
  const places = arrange(n, src, dst);
  const scene = new Scene(places, columnsOf(places), { n });
  const draw = (most) => {
    routes.begin(most);
    src.forEach((a, e) => routes.way(pen(), scene, a, dst[e], { x: 0, y: 0, scale: 1, width: 1, height: 1 }));
    return routes.isLate;
  };
  assert(draw(50) && scene.ways.size === 50, "so many ways, and no more");
  assert(!draw(Infinity) && scene.ways.size > 50, "all are found in time");
  const before = scene.ways.size;
  assert(!draw(0) && scene.ways.size === before, "what was found is kept");
}
