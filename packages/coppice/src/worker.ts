/** The script of the worker, for applications that start it themselves. */
import "@coppice/worker/worker";
