// Brushing over a picture: a canvas above it, opaque where it has been brushed.

const LONGEST = 768; // pixels
const COLOUR = [224, 160, 60];
const STRETCH = 0.05; // as painting/sides.py has it

const covers = (pixels) => pixels.some((value, place) => place % 4 === 3 && value);

/** What is brushed on a canvas, with a slider for the brush's size; `changed` is called after each stroke. */
export function brushing(canvas, radius, changed) {
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  let last = null;
  let empty = true;

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width,
            ((event.clientY - box.top) / box.height) * canvas.height];
  };

  const draw = (event) => {
    const here = place(event);
    pen.globalCompositeOperation = event.shiftKey ? "destination-out" : "source-over";
    pen.strokeStyle = pen.fillStyle = `rgb(${COLOUR})`;
    pen.lineWidth = (radius.value / 100) * Math.max(canvas.width, canvas.height);
    pen.beginPath();
    pen.moveTo(...(last ?? here));
    pen.lineTo(...here);
    pen.stroke();
    pen.beginPath();
    pen.arc(...here, pen.lineWidth / 2, 0, 2 * Math.PI); // for a line without length is not drawn
    pen.fill();
    last = here;
  };

  canvas.title = "Brush; with shift held, take away";
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || !event.isPrimary) return;
    canvas.setPointerCapture(event.pointerId);
    draw(event);
  });
  canvas.addEventListener("pointermove", (event) => last && event.isPrimary && draw(event));
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, () => {
      last = null;
      look();
    });
  }

  const pixels = () => pen.getImageData(0, 0, canvas.width, canvas.height).data;

  const look = () => {
    empty = !covers(pixels());
    changed();
  };

  const sheet = () => {
    const { width, height } = canvas;
    return Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  };

  return {
    empty: () => empty,

    /** Nothing is brushed over any more. */
    clear() {
      pen.clearRect(0, 0, canvas.width, canvas.height);
      empty = true;
      changed();
    },

    /** Suit a picture of this size; what was brushed is lost if it has other proportions. */
    size(width, height) {
      const scale = Math.min(1, LONGEST / Math.max(width, height));
      const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
      if (canvas.width === across && canvas.height === down) return;
      Object.assign(canvas, { width: across, height: down });
      empty = true;
    },

    /** Whether a picture has the canvas' proportions, but for rounded pixels, or nearly so. */
    fits({ width, height }) {
      const scale = Math.max(width, height) / Math.max(canvas.width, canvas.height);
      const off = Math.max(Math.abs(width - scale * canvas.width), Math.abs(height - scale * canvas.height));
      const stretch = Math.log((width * canvas.height) / (height * canvas.width));
      return off < Math.max(1, scale) || Math.abs(stretch) < STRETCH;
    },

    /** Brush over what is light in a picture; false, and nothing is changed, if it is nowhere lighter than `dark`. */
    load(picture, dark) {
      const page = sheet();
      page.fillRect(0, 0, canvas.width, canvas.height); // black, where nothing is
      page.imageSmoothingQuality = "high";
      page.drawImage(picture, 0, 0, canvas.width, canvas.height);
      const image = page.getImageData(0, 0, canvas.width, canvas.height);
      for (let place = 0; place < image.data.length; place += 4) {
        const light = (image.data[place] + image.data[place + 1] + image.data[place + 2]) / 3;
        image.data.set([...COLOUR, (255 * (light - dark)) / (255 - dark)], place);
      }
      if (!covers(image.data)) return false;
      pen.putImageData(image, 0, 0);
      look();
      return true;
    },

    /** A gray PNG: white where it is brushed, and elsewhere this, from 0 to 255. */
    picture(dark) {
      const image = new ImageData(pixels(), canvas.width, canvas.height);
      for (let place = 0; place < image.data.length; place += 4) {
        const light = dark + ((255 - dark) * image.data[place + 3]) / 255;
        image.data.set([light, light, light, 255], place);
      }
      const page = sheet();
      page.putImageData(image, 0, 0);
      return new Promise((resolve) => page.canvas.toBlob(resolve, "image/png"));
    },
  };
}
