// Brushing over a picture: a canvas above it, opaque where it has been brushed.

const LONGEST = 768; // pixels

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
    pen.strokeStyle = "#e0a03c";
    pen.lineCap = "round";
    pen.lineWidth = (radius.value / 100) * Math.max(canvas.width, canvas.height);
    pen.beginPath();
    pen.moveTo(...(last ?? here));
    pen.lineTo(...here);
    pen.stroke();
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
      empty = !pixels().some((value, place) => place % 4 === 3 && value);
      changed();
    });
  }

  const pixels = () => pen.getImageData(0, 0, canvas.width, canvas.height).data;

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

    /** A gray PNG: white where it is brushed, and elsewhere this, from 0 to 255. */
    picture(dark) {
      const image = new ImageData(pixels(), canvas.width, canvas.height);
      for (let place = 0; place < image.data.length; place += 4) {
        const light = dark + ((255 - dark) * image.data[place + 3]) / 255;
        image.data.set([light, light, light, 255], place);
      }
      const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
      copy.getContext("2d").putImageData(image, 0, 0);
      return new Promise((resolve) => copy.toBlob(resolve, "image/png"));
    },
  };
}
