/** The file that is run: by Node as the operators' program. */
import './cli'
