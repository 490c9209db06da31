// Paints with geometrize: node geometrize.js PACKAGE RAW WIDTH HEIGHT SHAPES TRIES SVG
// RAW holds the picture as bytes of RGBA, and in the end what was painted.
const fs = require("fs");
const [package, raw, width, height, shapes, tries, svg] = process.argv.slice(2);
const { Bitmap, ImageRunner, ShapeTypes, SvgExporter } = require(package);

const pixels = fs.readFileSync(raw);
const mean = (channel) => {
  let sum = 0;
  for (let place = channel; place < pixels.length; place += 4) sum += pixels[place];
  return Math.floor(sum / (pixels.length / 4));
};
const [red, green, blue] = [0, 1, 2].map(mean); // on which geometrize's own programs begin
const ground = (red << 24) | (green << 16) | (blue << 8) | 255;
const runner = new ImageRunner(Bitmap.createFromByteArray(+width, +height, pixels), ground);
const options = {
  shapeTypes: [ShapeTypes.TRIANGLE],
  alpha: 128,
  candidateShapesPerStep: 50 * tries,
  shapeMutationsPerStep: 100 * tries,
};
const painted = [];
for (let step = 0; step < shapes; step++) painted.push(...runner.step(options));
fs.writeFileSync(raw, runner.getImageData().getBytes().b);
const lines = [
  SvgExporter.getSvgPrelude(),
  SvgExporter.getSvgNodeOpen(+width, +height),
  `<rect width="${width}" height="${height}" fill="rgb(${red},${green},${blue})"/>`,
  SvgExporter.exportShapes(painted),
  SvgExporter.getSvgNodeClose(),
];
fs.writeFileSync(svg, lines.join("\n"));
