/** The worker of the page under attack: the SDK's own. */
import "coppice/worker";
